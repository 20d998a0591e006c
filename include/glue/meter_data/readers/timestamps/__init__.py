"""Times as texts say them: by a pattern of letters, and by the clocks of a zone.

Imports go one way: pattern → grammar → pieces → fields, and pattern → fixed_width → pieces. local_time stands alone.
"""
