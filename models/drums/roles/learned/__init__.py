"""The learned voice: labelled one-shots in, a small network out, scores for any sound.

from models.drums.roles.learned.dataset import prepare_dataset, read_dataset
from models.drums.roles.learned.train import train_scorer
from models.drums.roles.learned.scorer import RoleScorer
"""
