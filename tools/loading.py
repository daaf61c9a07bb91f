"""Libraries that take a second to import, imported whole before threads share the work."""

import threading

_lock = threading.Lock()


def load_libraries() -> None:
    """Imports what the stages use of SciPy and scikit-learn.

    Parts of them import one another in a circle: two threads that begin at different ends wait for
    one another, which Python ends with an error. Whoever comes second here waits and finds all.
    """
    with _lock:
        import scipy.cluster.hierarchy
        import scipy.optimize
        import scipy.special
        import scipy.stats  # noqa: F401
        import sklearn.cluster
        import sklearn.feature_extraction.text
        import sklearn.linear_model
        import sklearn.metrics  # noqa: F401
