-- A file may begin with a header; every column is text, so that it is copied like any other line.
DELETE FROM cis_data_copied
WHERE LOWER(meter_id) = 'meter_id'
