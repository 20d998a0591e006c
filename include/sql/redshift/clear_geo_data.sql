-- No TRUNCATE: that would commit, and readers would find the table empty.
DELETE FROM geo_data
