"""Trained tasks: those of the suite `trained`, whose weights the package holds."""

TRAINED_TASKS: tuple[str, ...] = (
    "histogram-v1/trained[d=32,heads=4,spare_layers=3,layer_norm=1,seed=2]",
    "count-v1/trained[d=32,heads=4,spare_layers=3,layer_norm=0,seed=5]",
    "length-v1/trained[d=32,heads=4,spare_layers=2,layer_norm=0,seed=0]",
    "histogram_by_complement-v1/trained[d=32,heads=4,spare_layers=3,layer_norm=0,seed=3]",
    "count_so_far-v1/trained[d=32,heads=4,spare_layers=3,layer_norm=0,seed=3]",
    "running_mean-v1/trained[d=32,heads=4,spare_layers=3,layer_norm=0,seed=7]",
    "is_sorted-v1/trained[d=32,heads=4,spare_layers=2,layer_norm=0,seed=0]",
    "shift-v1/trained[d=32,heads=4,spare_layers=3,layer_norm=1,seed=0]",
    "swap_neighbours-v1/trained[d=32,heads=4,spare_layers=3,layer_norm=1,seed=1]",
    "frac_prevs-v1/trained[d=32,heads=4,spare_layers=3,layer_norm=1,seed=4]",
    "running_majority-v1/trained[d=32,heads=4,spare_layers=2,layer_norm=1,seed=0]",
    "moving_average_crossover-v1/trained[d=32,heads=4,spare_layers=1,layer_norm=0,seed=1]",
    "cumulative_sum-v1/trained[d=32,heads=4,spare_layers=2,layer_norm=0,seed=0]",
    "depth-v1/trained[d=32,heads=4,spare_layers=3,layer_norm=1,seed=6]",
    "occurs_once-v1/trained[d=32,heads=4,spare_layers=3,layer_norm=0,seed=2]",
    "membership-v1/trained[d=32,heads=4,spare_layers=3,layer_norm=1,seed=9]",
    "match_two-v1/trained[d=32,heads=4,spare_layers=3,layer_norm=0,seed=7]",
    "xor_of_facts-v1/trained[d=32,heads=4,spare_layers=2,layer_norm=1,seed=11]",
    "backup_detector-v1/trained[d=32,heads=4,spare_layers=2,layer_norm=1,seed=8]",
    "look_back_twice-v1/trained[d=32,heads=4,spare_layers=1,layer_norm=1,seed=0]",
)
"""Their canonical ids."""
