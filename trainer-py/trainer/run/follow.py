"""What every process of a run but the first does: what the first one orders."""

import gc
import json
from contextlib import suppress
from pathlib import Path

import torch
from safetensors.torch import load, save

from trainer.commands import Commands, Interrupted
from trainer.device import pick_device
from trainer.failure import NonFiniteError
from trainer.from_json import from_json
from trainer.plan import Plan, Run, extended
from trainer.progress import Progress
from trainer.ranks import Ranks
from trainer.run.parking import parked
from trainer.run.session import Session, open_session
from trainer.run.state import StateFolder

_SCALE = "loss_scale"


def invitation(run_dir: Path) -> bytes:
    """What the others need of the run's folder, which they need not have."""
    plan, run = (json.loads((run_dir / name).read_text(encoding="utf-8")) for name in ("plan.json", "run.json"))
    return json.dumps({"plan": plan, "run": run, "runDir": str(run_dir.absolute())}).encode()


def session_state(session: Session) -> bytes:
    """The numbers that all must start from, whatever they have on their disks."""
    optimizer = session.optimizer
    scale = torch.tensor([optimizer.loss_scale, optimizer.good_steps], dtype=torch.float64)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in optimizer.tensors().items()}
    return save({**tensors, _SCALE: scale})


def follow(ranks: Ranks) -> None:
    """Train along until the first process says that it is over. Raises Failure."""
    orders = Orders(ranks, pick_device())
    session: Session | None = None
    with suppress(Interrupted):
        while (order := ranks.next_order()).kind != "leave":
            if order.kind == "park":
                orders.stand_by()
            elif order.kind == "open":
                session = None
                gc.collect()  # a session that is over holds the whole model in circles
                session = _open(order.payload, ranks, orders)
            elif session and order.kind == "state":
                _restore(session, order.payload)
            elif session and order.kind == "step":
                with suppress(NonFiniteError):  # the first process meets it as well and says what comes next
                    session.steps.run(order.step, order.rate)


class Orders(Commands):
    """Takes the place of the server's commands: a follower parks and leaves when the first process does."""

    def __init__(self, ranks: Ranks, device: torch.device) -> None:
        super().__init__()
        self.device = device
        self._ranks = ranks

    def check(self) -> None:
        order = self._ranks.look()
        if order and order.kind == "leave":
            raise Interrupted("pause")
        if order and order.kind == "park":
            self._ranks.next_order()
            self.stand_by()

    def stand_by(self) -> None:
        """Have everything in RAM until the first process goes on. Raises Interrupted when it leaves."""
        with parked(self.device):
            self._ranks.has_parked()
            if self._ranks.next_order().kind == "leave":
                raise Interrupted("pause")


def _open(payload: bytes, ranks: Ranks, orders: Orders) -> Session:
    said = json.loads(payload)
    run: Run = from_json(Run, said["run"])
    plan = extended(Plan.from_json(said["plan"]), run)
    run_dir = Path(said["runDir"])
    return open_session(
        plan,
        run,
        run_dir,
        device=orders.device,
        commands=orders,
        folder=StateFolder(run_dir / "state"),
        progress=Progress(plan.id),
        ranks=ranks,
    )


def _restore(session: Session, payload: bytes) -> None:
    tensors = load(payload)
    scale, good_steps = tensors.pop(_SCALE).tolist()
    session.optimizer.restore(tensors)
    session.optimizer.loss_scale, session.optimizer.good_steps = scale, int(good_steps)
