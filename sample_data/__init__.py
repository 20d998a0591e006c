"""A made-up fleet of smart meters in the bytes of London's, with their quirks.

    python -m sample_data --meters 60 --days 365 --seed 7 --out folder          the fleet's files
    python -m sample_data.reference --meters 60 --days 365 --seed 7 --out …     its weather, geography and customers
    python -m sample_data.corrections --fleet folder --out another              a later delivery that corrects some days
    python -m sample_data.comparison --fleet folder --real folder               how it compares to real households

The same options give the same bytes. A household is base load, a fridge, people who come and go, appliances they switch
on, light when it is dark and heat when it is cold; see households.py. The files hold what the real ones hold: CRLF, a
trailing blank in a header, padded values, `Null` off the grid, exact duplicates at midnight once a month, gaps, meters
that join late, households split over two files, and all three layouts; see london_files.py. Numpy only.
"""
