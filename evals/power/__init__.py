"""Power: what loss of rows would be noticed, and how often is an alarm false?"""
