"""Where the algorithms of the library come from."""

RASP_PAPER = (
    "Gail Weiss, Yoav Goldberg, Eran Yahav. Thinking Like Transformers. ICML 2021. arXiv:2106.06981"
)
TRACR_PAPER = (
    "David Lindner, János Kramár, Sebastian Farquhar, Matthew Rahtz, Thomas McGrath, Vladimir "
    "Mikulik. Tracr: Compiled Transformers as a Laboratory for Interpretability. NeurIPS 2023. "
    "arXiv:2301.05062"
)
INDUCTION_PAPER = (
    "Catherine Olsson, Nelson Elhage, Neel Nanda et al. In-context Learning and Induction Heads. "
    "Transformer Circuits Thread, 2022. arXiv:2209.11895"
)
IOI_PAPER = (
    "Kevin Wang, Alexandre Variengien, Arthur Conmy, Buck Shlegeris, Jacob Steinhardt. "
    "Interpretability in the Wild: a Circuit for Indirect Object Identification in GPT-2 small. "
    "ICLR 2023. arXiv:2211.00593"
)
