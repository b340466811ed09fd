"""
Measure how well palms are told apart: from readings of labelled pictures to rates with their intervals.

In reading order: presentation people label_noise (what was presented, and what of it counts), trials rates interval
(one against one), identification (one against many), breakdown (for whom), figures evaluation (all together), table
det_plot (for people to read). Figures and counts come out; never a vector, and no row of any one image.
"""
