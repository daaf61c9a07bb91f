"""Ablations: what does each part of the method contribute?"""
