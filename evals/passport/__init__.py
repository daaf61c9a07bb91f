"""The judge's passport: is it steady, and does it agree with labels?"""
