"""Planted gaps: are the gaps that are found the ones that are there?"""
