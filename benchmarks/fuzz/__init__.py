"""Malformed files by the thousand: does the auditor crash, hang, or fill the memory?"""
