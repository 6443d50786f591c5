"""Where the algorithms of the library come from."""

RASP_PAPER = (
    "Gail Weiss, Yoav Goldberg, Eran Yahav. Thinking Like Transformers. ICML 2021. arXiv:2106.06981"
)
TRACR_PAPER = (
    "David Lindner, János Kramár, Sebastian Farquhar, Matthew Rahtz, Thomas McGrath, Vladimir "
    "Mikulik. Tracr: Compiled Transformers as a Laboratory for Interpretability. NeurIPS 2023. "
    "arXiv:2301.05062"
)
