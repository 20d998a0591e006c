-- Holds no rows: every load locks it first, so that loads take turns while readers of the other tables never wait.
CREATE TABLE IF NOT EXISTS load_turn (
    holder VARCHAR(64)
)
