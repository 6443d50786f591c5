"""The built-in methods of the `features` track."""

from ..method import Method
from .kmeans_centroids import kmeans
from .matrix_factorisation import dictionary_learning, ica, nmf, pca
from .reference_directions import neuron_basis, random_directions
from .sparse_autoencoder import sae_batch_topk, sae_l1, sae_topk

FEATURES_METHODS = (
    Method("pca", pca, "Pearson 1901; scikit-learn, PCA", "arbitrary", "features"),
    Method("ica", ica, "Hyvärinen and Oja 2000; scikit-learn, FastICA", "arbitrary", "features"),
    Method(
        "nmf",
        nmf,
        "Lee and Seung 1999; scikit-learn, NMF",
        "none: directions and activations are not negative",
        "features",
    ),
    Method(
        "dictionary-learning",
        dictionary_learning,
        "Mairal et al. 2009; scikit-learn, MiniBatchDictionaryLearning",
        "none: activations are not negative",
        "features",
    ),
    Method(
        "kmeans",
        kmeans,
        "Lloyd 1982, Arthur and Vassilvitskii 2007; scikit-learn, KMeans",
        "none: activations are not negative",
        "features",
    ),
    Method(
        "sae-l1",
        sae_l1,
        "Bricken et al. 2023, Towards Monosemanticity; Cunningham et al. 2023, arXiv:2309.08600",
        "none: activations are not negative",
        "features",
    ),
    Method(
        "sae-topk",
        sae_topk,
        "Gao et al. 2024, arXiv:2406.04093",
        "none: activations are not negative",
        "features",
    ),
    Method(
        "sae-batch-topk",
        sae_batch_topk,
        "Bussmann, Leask and Nanda 2024, arXiv:2412.06410",
        "none: activations are not negative",
        "features",
    ),
    Method(
        "random-directions",
        random_directions,
        "none: a floor, 2026",
        "arbitrary",
        "features",
    ),
    Method(
        "neuron-basis",
        neuron_basis,
        "none: the basis in which the stream is given, 2026",
        "that of the stream's coordinates",
        "features",
    ),
)
