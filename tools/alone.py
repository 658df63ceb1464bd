"""Each chapter as a reader downloads it, in a folder of its own, and the package as it is installed:
alone.py FOLDER."""
import shutil, subprocess, sys, tempfile, zipfile
from pathlib import Path

from colab import chapters, root

NOT_COPIED = '.venv', '.git', 'out', '_proc', '_docs', '_live', '__pycache__', 'build', '*.egg-info'


def wheel(folder):
    "Build the wheel, from a copy: what an earlier build left in the project would come into it."
    with tempfile.TemporaryDirectory() as box:
        copy = shutil.copytree(root, Path(box)/'book', ignore=shutil.ignore_patterns(*NOT_COPIED))
        pip = sys.executable, '-m', 'pip', 'wheel', '-q', '--no-deps', '--no-build-isolation'
        subprocess.run([*pip, '-w', box, copy], check=True)
        built, = Path(box).glob('*.whl')
        return Path(shutil.copy(built, folder))


def alone(folder):
    "Fill the folder: the wheel unpacked, what nbdev_test reads its flags from, and the chapters."
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with zipfile.ZipFile(wheel(folder)) as packed: packed.extractall(folder)
    shutil.copy(root/'settings.ini', folder)
    for path in chapters:
        (folder/'nbs'/path.stem).mkdir(parents=True)
        shutil.copy(path, folder/'nbs'/path.stem)


if __name__ == '__main__':
    if len(sys.argv) != 2:
        sys.exit('alone.py FOLDER: name the folder to fill; what is in it is deleted')
    alone(Path(sys.argv[1]))
