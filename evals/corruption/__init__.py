"""Controlled corruption: does A(s) fall where rows that support s are removed, and only there?"""
