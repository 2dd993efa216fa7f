"""The small experiments of the thesis, on schedules that a laptop affords.

``reconstruct`` (Table 3.2) and ``denoise`` (Table 3.6) compare samplings by what they let through.
Their figures are lower than the thesis', whose schedules are a hundred times longer; what is to be
seen is the order. ``series`` trains from several seeds, at full length where there is the time.
"""
