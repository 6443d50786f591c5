"""Trained tasks: those of the suite `trained`, whose weights the package holds."""

TRAINED_TASKS: tuple[str, ...] = (
    "histogram-v1/trained[d=32,heads=4,spare_layers=2,layer_norm=1,seed=26]",
    "count-v1/trained[d=32,heads=4,spare_layers=2,layer_norm=0,seed=8]",
    "length-v1/trained[d=32,heads=4,spare_layers=2,layer_norm=1,seed=3]",
    "histogram_by_complement-v1/trained[d=32,heads=4,spare_layers=2,layer_norm=0,seed=6]",
    "count_so_far-v1/trained[d=32,heads=4,spare_layers=2,layer_norm=0,seed=6]",
    "count_before_minus_after-v1/trained[d=32,heads=4,spare_layers=2,layer_norm=0,seed=23]",
    "is_sorted-v1/trained[d=32,heads=4,spare_layers=1,layer_norm=0,seed=0]",
    "shift-v1/trained[d=32,heads=4,spare_layers=2,layer_norm=1,seed=1]",
    "swap_neighbours-v1/trained[d=32,heads=4,spare_layers=2,layer_norm=1,seed=17]",
    "frac_prevs-v1/trained[d=32,heads=4,spare_layers=2,layer_norm=1,seed=5]",
    "running_majority-v1/trained[d=32,heads=4,spare_layers=1,layer_norm=1,seed=0]",
    "moving_average_crossover-v1/trained[d=32,heads=4,spare_layers=1,layer_norm=0,seed=6]",
    "cumulative_sum-v1/trained[d=32,heads=4,spare_layers=2,layer_norm=0,seed=0]",
    "depth-v1/trained[d=32,heads=4,spare_layers=2,layer_norm=1,seed=15]",
    "occurs_once-v1/trained[d=32,heads=4,spare_layers=2,layer_norm=0,seed=28]",
    "membership-v1/trained[d=32,heads=4,spare_layers=2,layer_norm=1,seed=6]",
    "match_two-v1/trained[d=32,heads=4,spare_layers=2,layer_norm=0,seed=18]",
    "xor_of_facts-v1/trained[d=32,heads=4,spare_layers=1,layer_norm=1,seed=8]",
    "backup_detector-v1/trained[d=32,heads=4,spare_layers=1,layer_norm=1,seed=30]",
    "look_back_twice-v1/trained[d=32,heads=4,spare_layers=1,layer_norm=1,seed=11]",
)
"""Their canonical ids."""
