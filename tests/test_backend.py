"Commands draw without a backend: whatever MPLBACKEND names is left alone, even where it can't be imported."
import os, subprocess, sys

import pytest

CODE = """
import sys, matplotlib, torch
from seqgen_nb import bench, commands, drawings, evidence, live, metrics, plots, reproduce
before = dict(matplotlib.rcParams)
commands.seqgen_sample(out='s.png')
metrics.score(torch.randint(256, (50, 1, 28, 28), dtype=torch.uint8), n=50)
fig = plots.learning_curves(dict(epoch=[1, 2], **{name: [.5, .7] for name in ('loss', 'held_out_loss', 'accuracy', 'held_out_accuracy')}))
assert evidence.figure_png(fig)[1:4] == plots.notebook_png(fig)[1:4] == b'PNG'
assert drawings.drawing(lambda: drawings.plane(2, 1))().svg.startswith('<svg')
assert dict(matplotlib.rcParams) == before and 'matplotlib.pyplot' not in sys.modules
"""


@pytest.mark.parametrize('backend', ['module://matplotlib_inline.backend_inline', 'tkagg'])
def test_the_backend_is_left_alone(tmp_path, backend):
    "The first is what a shell in a notebook inherits: here without the package that it needs."
    block = "import sys\nfor name in 'matplotlib_inline', 'IPython', 'tkinter': sys.modules[name] = None\n"
    result = subprocess.run([sys.executable, '-c', block + CODE], cwd=tmp_path, env={**os.environ, 'MPLBACKEND': backend}, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-2000:]
