-- Held to the end of the transaction. Must be its first statement: a snapshot taken before the lock would not hold what
-- the load before has committed.
LOCK TABLE load_turn
