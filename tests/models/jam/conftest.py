import pytest
import torch
from soloists import random_network, weights_of


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def network():
    return random_network()


@pytest.fixture(scope="session")
def weights(network):
    return weights_of(network)
