"The explorer in a kernel that is sent messages as a browser sends them: faster than it can draw, and such as no browser would send."
import json, time

import pytest
from jupyter_client.manager import start_new_kernel

PATIENCE = 180  # seconds to wait for what a busy machine does late
START = """
from pathlib import Path
import time
from seqgen_nb import explore
from seqgen_nb.gan import MLPGenerator
explorer = explore.LatentExplorer(MLPGenerator(8, widths=(16,)))
walk, drawn = explorer.walk, []
explore.sample = lambda *given, sample=explore.sample: drawn.append(walk.t.value) or sample(*given)
"""


class Kernel:
    def __init__(self, folder):
        self.folder, (self.manager, self.client) = folder, start_new_kernel(kernel_name='python3', cwd=str(folder), startup_timeout=PATIENCE)

    def run(self, code, expression='None'):
        "The value of an expression after some code, through JSON."
        answer = self.client.execute(code, user_expressions=dict(value=f"__import__('json').dumps({expression})"), reply=True, timeout=PATIENCE)['content']
        assert answer['status'] == 'ok', '\n'.join(answer['traceback'])
        data = answer['user_expressions']['value']
        assert data['status'] == 'ok', data
        return json.loads(eval(data['data']['text/plain']))

    def set(self, model, **state):
        content = dict(comm_id=model, data=dict(method='update', state=state, buffer_paths=[]))
        self.client.shell_channel.send(self.client.session.msg('comm_msg', content))

    def until(self, expression):
        deadline = time.time() + PATIENCE
        while not self.run('', expression): assert time.time() < deadline, expression

    def held(self, messages):
        "Messages that all wait when the kernel turns to them."
        go = self.folder/'go'
        go.unlink(missing_ok=True)
        self.client.execute("while not Path('go').exists(): time.sleep(.01)")
        for model, state in messages: self.set(model, **state)
        go.touch()


@pytest.fixture(scope='module')
def kernel(tmp_path_factory):
    kernel = Kernel(tmp_path_factory.mktemp('kernel'))
    kernel.run(START)
    yield kernel
    kernel.client.stop_channels()
    kernel.manager.shutdown_kernel(now=True)


def test_of_a_drag_the_newest_position_is_drawn(kernel):
    "Some positions on the way may be drawn too, but by far not all; the picture is that of the last one."
    slider = kernel.run('', 'walk.t.model_id')
    positions = [i/100 for i in range(1, 101)]
    kernel.held([(slider, dict(value=v)) for v in positions])
    kernel.until('drawn[-1:] == [1.]')
    drawn = kernel.run('', 'drawn')
    assert len(drawn) <= 50 and sorted(drawn) == drawn and set(drawn) <= set(positions)
    assert kernel.run('', 'walk.now.value == walk.end_b.value')


def test_values_set_in_a_cell_are_drawn_at_once(kernel):
    assert kernel.run('drawn.clear()\nfor v in (.2, .4, .6): walk.t.value = v', 'drawn') == [.2, .4, .6]


def test_closed_while_a_drawing_waits(kernel):
    kernel.run("from seqgen_nb.gan import MLPGenerator\nother = explore.LatentExplorer(MLPGenerator(8, widths=(16,)))")
    slider = kernel.run('', 'other.walk.t.model_id')
    kernel.held([(slider, dict(value=.5))])
    kernel.run('other.close(); time.sleep(.1)')
    assert kernel.run('', 'other.choice.generator is None')


HOSTILE = '<img src=x onerror=alert(1)>'


def test_hostile_messages_change_nothing(kernel):
    "Values of other kinds and sizes, traits that do not exist, HTML, and pictures that the browser has no business to send as widgets of its own."
    names = dict(slider='walk.t', seed='walk.a.field', how='walk.how', file='explorer.save.file', save='explorer.save.button', what='explorer.save.what', nudge='explorer.nudge.sliders[0]')
    model = {name: kernel.run('', f'{at}.model_id') for name, at in names.items()}
    before = kernel.run('walk.t.value = .5', '[walk.t.value, walk.a.value, walk.how.value]')
    for name, state in (('slider', dict(value=[.7])), ('slider', dict(min='a')), ('slider', dict(__class__='x')), ('slider', dict(_trait_values={})),
                        ('how', dict(index=99)), ('how', dict(index=-1)), ('what', dict(index=10**9)), ('seed', dict(value='9'*100_000)), ('seed', dict(value='__import__("os").system("true")')), ('nudge', dict(value=None))):
        kernel.set(model[name], **state)
    kernel.set('no such comm', value=1)
    assert kernel.run('', '[walk.t.value, walk.a.value, walk.how.value]') == before
    kernel.set(model['seed'], value=HOSTILE)
    said = kernel.run('', 'walk.a.message.value')
    assert 'is no seed' in said and '<img' not in said
    kernel.set(model['file'], value=f'{HOSTILE}.jpg')
    said = kernel.run('explorer.save.button.click()', 'explorer.save.message.value')
    assert 'does not end in .png' in said and '<img' not in said


DAMAGED = """
from seqgen_nb.data import typeset_digits
from seqgen_nb.gan import MLPDiscriminator, fit_gan
from seqgen_nb.runs import Run
run = fit_gan(MLPGenerator(8, widths=(16,)), MLPDiscriminator(widths=(16,)), typeset_digits(64, seed=0)[0], Run('tiny', progress=False), epochs=2, batch=32, sample_every=1, device='cpu')
Path('tiny/stages/epoch_001.safetensors').write_bytes(b'')
broken = explore.LatentExplorer(run)
said = lambda: getattr(broken.choice.message, 'value', '')
"""


def test_an_error_stays_until_the_next_success(kernel):
    "The controls go back, which is a change of their own; the message must outlive it."
    kernel.run(DAMAGED)
    slider = kernel.run('', 'broken.choice.epoch.model_id')
    kernel.set(slider, index=1)
    kernel.until("'truncated' in said()")
    kernel.run('time.sleep(.3)')
    kernel.run('time.sleep(.1)')
    assert kernel.run('', "'truncated' in said() and broken.choice.epoch.value == 2")
    kernel.set(slider, index=0)
    kernel.until("broken.choice.epoch.value == 0 and said() == ''")
