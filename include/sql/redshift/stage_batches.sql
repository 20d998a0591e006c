-- The batches that are copied, and when each was merged into the business zone (UTC). The batch merged last wins.
CREATE TEMP TABLE batches_copied (
    batch VARCHAR(32) NOT NULL,
    merged_at TIMESTAMP NOT NULL
)
DISTSTYLE ALL
