"""One thread for these small networks: on a busy machine several only wait for each other."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    import torch

    torch.set_num_threads(1)
