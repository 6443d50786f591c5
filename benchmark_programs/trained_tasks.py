"""Trained tasks: those of the suite `trained`, whose weights the package holds."""

TRAINED_TASKS: tuple[str, ...] = (
    "histogram-v1/trained[d=32,heads=4,spare_layers=1,layer_norm=1,seed=1]",
    "count-v1/trained[d=32,heads=4,spare_layers=1,layer_norm=0,seed=2]",
    "length-v1/trained[d=32,heads=4,spare_layers=1,layer_norm=1,seed=3]",
    "histogram_by_complement-v1/trained[d=32,heads=4,spare_layers=1,layer_norm=0,seed=6]",
    "count_so_far-v1/trained[d=32,heads=4,spare_layers=1,layer_norm=0,seed=4]",
    "count_before_minus_after-v1/trained[d=32,heads=4,spare_layers=0,layer_norm=0,seed=54]",
    "is_sorted-v1/trained[d=32,heads=4,spare_layers=0,layer_norm=0,seed=26]",
    "shift-v1/trained[d=32,heads=4,spare_layers=1,layer_norm=1,seed=5]",
    "swap_neighbours-v1/trained[d=32,heads=4,spare_layers=1,layer_norm=1,seed=7]",
    "frac_prevs-v1/trained[d=32,heads=4,spare_layers=1,layer_norm=1,seed=23]",
    "running_majority-v1/trained[d=32,heads=4,spare_layers=0,layer_norm=1,seed=55]",
    "moving_average_crossover-v1/trained[d=32,heads=4,spare_layers=0,layer_norm=0,seed=64]",
    "cumulative_sum-v1/trained[d=32,heads=4,spare_layers=0,layer_norm=0,seed=10]",
    "depth-v1/trained[d=32,heads=4,spare_layers=1,layer_norm=1,seed=27]",
    "occurs_once-v1/trained[d=32,heads=4,spare_layers=1,layer_norm=0,seed=8]",
    "membership-v1/trained[d=32,heads=4,spare_layers=1,layer_norm=1,seed=21]",
    "match_two-v1/trained[d=32,heads=4,spare_layers=1,layer_norm=0,seed=22]",
    "xor_of_facts-v1/trained[d=32,heads=4,spare_layers=0,layer_norm=1,seed=51]",
    "backup_detector-v1/trained[d=32,heads=4,spare_layers=0,layer_norm=1,seed=43]",
    "look_back_twice-v1/trained[d=32,heads=4,spare_layers=0,layer_norm=1,seed=61]",
)
"""Their canonical ids."""
