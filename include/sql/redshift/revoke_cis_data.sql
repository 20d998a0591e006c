-- Personal data: the master user reads it, and analysts to whom that user grants it by name.
REVOKE ALL ON TABLE cis_data FROM public
