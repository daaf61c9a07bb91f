"""The evidence: does the tool detect what it claims to detect?"""
