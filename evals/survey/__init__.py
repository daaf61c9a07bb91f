"""Do a survey's intervals hold the truth as often as they say, and what do they cost?"""
