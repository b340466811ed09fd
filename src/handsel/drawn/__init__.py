"""
People drawn by a program, to fit on, to test with and to demonstrate with. No pixel and no statistic of a real palm.

In reading order: who (painter, hand, age), canvas stroke crease etching palm square (a palm), anatomy skin shot hand
backdrop picture (a hand in a picture), person scene camera (who shows it, and what else a camera sees).
"""
