"""Pages of the documentation that are generated from code; a test says when one is out of date."""
