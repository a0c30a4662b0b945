"""The training module: one Lightning epoch is one mining round. Paper, section 4.

A round is mined with the weights of its beginning, gone through in steps, and saved; the last round of an
epoch is followed by validation. What a round computes depends on the saved state and the round's number
alone, so that a training that was killed goes on as if it had not been.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import lightning.pytorch as pl
import torch
import torch.distributed as dist
from torch import Tensor

from landfall.errors import TrainingError
from landfall.losses import create_loss
from landfall.models import Network
from landfall.training import ranks
from landfall.training.batches import Batch, RoundLoader
from landfall.training.data import TrainingData
from landfall.training.describing import Describer, DescriptorSpace
from landfall.training.failures import bad_loss, bad_weights
from landfall.training.gradients import SparseGradients
from landfall.training.keeper import Keeper
from landfall.training.optimizers import create_optimizer, decay_rates
from landfall.training.progress import Meter, Tell
from landfall.training.randomness import Purpose, torch_generator
from landfall.training.recipe import Recipe
from landfall.training.rounds import Rounds
from landfall.training.state import RunState
from landfall.training.validation import validate

if TYPE_CHECKING:
    from landfall.training.augmentation import Augmentation


class TrainingModule(pl.LightningModule):
    """Trains a network in rounds.

    Args:
        network: initialised.
        recipe: how.
        data: on what.
        describer: describes photos with ``network``.
        space: where descriptors are kept.
        state: where the training is.
        optimizer_state: what the optimiser had then; None at the start.
        keeper: saves and logs, in the first process; None in the others.
        tell: is told the progress.
    """

    def __init__(
        self,
        network: Network,
        recipe: Recipe,
        data: TrainingData,
        *,
        describer: Describer,
        space: DescriptorSpace,
        state: RunState,
        optimizer_state: Mapping[str, Any] | None,
        keeper: Keeper | None,
        tell: Tell,
    ) -> None:
        super().__init__()
        self.network = network
        self.recipe = recipe
        self.data = data
        self.rounds = Rounds(recipe, data)
        self.state = state
        self._describer = describer
        self._space = space
        self._optimizer_state = optimizer_state
        self._keeper = keeper
        self._tell = tell
        self._loss = create_loss(recipe.loss.name, **recipe.loss.options)
        self._augmentation = _augmentation(recipe)
        self._loader: RoundLoader | None = None
        self._gradients = self._new_gradients()
        self._meter = self._new_meter()
        self._waited_s = 0.0

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return the optimiser."""
        return create_optimizer(self.network, self.recipe.optimizer)

    def on_fit_start(self) -> None:
        """Give the optimiser what it had, compute frozen features, validate the untrained network."""
        if self._optimizer_state is not None:
            optimizer = self.optimizers(use_pl_optimizer=False)
            optimizer.load_state_dict(self._optimizer_state)  # type: ignore[union-attr, arg-type]
            self._optimizer_state = None
        self._meter = self._new_meter(before=not self.state.epochs)
        if self._describer.reader.features is not None:
            self._meter.start("features")
            self._describer.reader.features.fill(
                self.network, self._describer.reader.photos, self._meter.told
            )
        if not self.state.epochs:
            self._validate(epoch=0, loss=None)
            self._save()

    def train_dataloader(self) -> RoundLoader:
        """Mine the next round and return its steps."""
        self._meter = self._new_meter()
        self._meter.start("mining")
        triplets = self.rounds.mine(self.state.round, self._describer, self._space, self._meter.told)
        planned = self.rounds.plan(self.state.round)
        spent = self.state.spent
        self.state = replace(
            self.state,
            spent=replace(
                spent,
                mining_s=spent.mining_s + self._meter.seconds,
                mining_photos=spent.mining_photos + len(planned.queries) + len(planned.database),
            ),
        )
        self._loader = RoundLoader(
            triplets,
            self._describer.reader,
            query_rows=self.data.query_rows,
            batch_queries=self.recipe.schedule.batch_queries,
            share_photos=not self.recipe.augmentation.active and not self._batch_norm_learns(),
            as_pixels=self.recipe.augmentation.active,
        )
        return self._loader

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:  # noqa: ARG002
        """Leave the batch where it is: what of it goes to the device is decided in the step."""
        return batch

    def on_train_epoch_start(self) -> None:
        """Begin the round's steps."""
        self.network.train()
        self._gradients = self._new_gradients()
        self._meter.start("steps")
        self._waited_s = self._describer.reader.photos.waited_s

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:  # noqa: ARG002
        """Return what has the gradient of this process's share in the step's loss."""
        if self.recipe.schedule.decay == "cosine":
            every = self.rounds.steps_per_epoch * self.recipe.schedule.epochs
            decay_rates(self.optimizers(use_pl_optimizer=False), self.state.step / every)  # type: ignore[arg-type]
        features = self._frozen_features(batch)
        step = self._gradients.step(features, torch.from_numpy(batch.places).to(features.device))
        self._count(batch, _mean_over_ranks(step.loss * batch.weight), step.descriptors)
        return step.objective * batch.weight

    def on_train_epoch_end(self) -> None:
        """Save the round; after an epoch's last one validate, and stop where nothing gets better."""
        if self._loader is None:
            raise RuntimeError("a round ended that never began")
        spent = self.state.spent
        self.state = replace(
            self.state,
            round=self.state.round + 1,
            spent=replace(
                spent,
                steps_s=spent.steps_s + self._meter.seconds,
                steps_photos=spent.steps_photos + self._loader.photos,
                waiting_s=spent.waiting_s + self._describer.reader.photos.waited_s - self._waited_s,
            ),
        )
        self._loader = None
        bad = [name for name, weight in self.network.named_parameters() if not weight.isfinite().all()]
        if bad:
            raise TrainingError(bad_weights(bad, *self.rounds.place(self.state.round - 1)))
        epoch, part = self.rounds.place(self.state.round)
        if part == 0:
            self._validate(epoch=epoch, loss=self.state.loss_sum / max(self.state.loss_steps, 1))
            finished = (
                self.state.round >= self.rounds.total
                or self.state.since_best >= self.recipe.schedule.patience
            )
            self.state = replace(self.state, finished=finished)
            self.trainer.should_stop = finished
        self._save()

    def _frozen_features(self, batch: Batch) -> Tensor:
        """Return the frozen stages' output of a step's photos, augmented where the recipe says so."""
        if self._augmentation is None:
            return batch.inputs.frozen_features(self.network)
        network, device = self.network, self.network.mean.device
        pixels = torch.from_numpy(batch.inputs.pixels).to(device).permute(0, 3, 1, 2).float() / 255
        generator = torch_generator(
            self.recipe.seed,
            Purpose.AUGMENTATION,
            *self.rounds.place(self.state.round),
            batch.number,
            ranks.rank(),
        )
        with torch.no_grad(), torch.autocast(device.type, enabled=False):
            changed = self._augmentation(
                pixels.view(*batch.rows.shape, *pixels.shape[1:]), generator
            ).flatten(0, 1)
        with torch.no_grad():
            return network.backbone.frozen_features((changed * 255 - network.mean) / network.std)

    def _count(self, batch: Batch, loss: Tensor, descriptors: Tensor) -> None:
        """Take a step's loss into account, or stop where it is no number."""
        value = float(loss)
        epoch, part = self.rounds.place(self.state.round)
        if not math.isfinite(value):
            raise TrainingError(bad_loss(self.data, batch, descriptors, epoch, part, value))
        self.state = replace(
            self.state,
            step=self.state.step + 1,
            loss_sum=self.state.loss_sum + value,
            loss_steps=self.state.loss_steps + 1,
        )
        if self._keeper is not None:
            self._keeper.logs.add_step(self.state.step, epoch + 1, part + 1, value)
        if self._loader is not None:
            share = (batch.number + 1) / len(self._loader)
            mean = self.state.loss_sum / self.state.loss_steps
            self._meter.told(round(share * self._loader.photos), self._loader.photos, mean)

    def _validate(self, *, epoch: int, loss: float | None) -> None:
        self._meter.start("validation")
        started = time.monotonic()
        recall = validate(self.data, self.recipe, self._describer, self._space, self._meter.told)
        self.state = self.state.with_epoch(
            epoch=epoch,
            loss=loss,
            recall=recall,
            seconds=time.monotonic() - started,
            photos=len(self.data.val_database) + len(self.data.val_queries),
        )

    def _save(self) -> None:
        optimizer = self.optimizers(use_pl_optimizer=False)
        if self._keeper is not None:
            self._keeper.save(self.network, optimizer, self.state)  # type: ignore[arg-type]
        ranks.barrier()

    def _new_meter(self, *, before: bool = False) -> Meter:
        epoch, part = self.rounds.place(self.state.round)
        return Meter(
            self._tell,
            epoch=0 if before else epoch + 1,
            epochs=self.recipe.schedule.epochs,
            round_=part + 1,
            rounds=self.rounds.per_epoch,
        )

    def _new_gradients(self) -> SparseGradients:
        return SparseGradients(
            self.network.describe_frozen, self._loss, always_whole=self._batch_norm_learns()
        )

    def _batch_norm_learns(self) -> bool:
        return bool(self.recipe.model.backbone_options.get("train_batch_norm", False))


def _augmentation(recipe: Recipe) -> Augmentation | None:
    if not recipe.augmentation.active:
        return None
    # It brings in kornia, which takes seconds to import.
    from landfall.training.augmentation import Augmentation

    return Augmentation(recipe.augmentation)


def _mean_over_ranks(loss: Tensor) -> Tensor:
    """Return the loss of the whole step."""
    if ranks.world() > 1:
        loss = loss.clone()
        dist.all_reduce(loss)
        loss /= ranks.world()
    return loss
