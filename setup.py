"Everything setup needs is in settings.ini; nothing here is to be edited."
import os, subprocess
from configparser import ConfigParser
from pathlib import Path
from setuptools import find_packages, setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

here = Path(__file__).parent
parser = ConfigParser(delimiters=['='])
parser.read(here/'settings.ini', encoding='utf-8')
cfg = parser['DEFAULT']
statuses = ['1 - Planning', '2 - Pre-Alpha', '3 - Alpha', '4 - Beta', '5 - Production/Stable']
notebook = cfg['notebook_requirements'].split()


def revision():
    "The commit of this checkout; of a source distribution the one that it carries."
    carried = here/'seqgen_nb/revision.txt'
    if carried.exists(): return carried.read_text(encoding='utf-8')
    asked = ['git', 'rev-parse', '--show-toplevel', '--short=12', 'HEAD']
    env = {k: v for k, v in os.environ.items() if not k.startswith('GIT_')}
    try: said = subprocess.run(asked, capture_output=True, cwd=here, env=env, check=True)
    except (OSError, subprocess.SubprocessError): return ''
    root, _, commit = os.fsdecode(said.stdout).strip().rpartition('\n')
    return commit if Path(root).samefile(here) else ''


class Built(build_py):
    "Packages that carry the revision that they were built from; an editable install asks git."
    def run(self):
        super().run()
        if not getattr(self, 'editable_mode', False): carry(Path(self.build_lib))


class Source(sdist):
    "A source distribution that carries it too."
    def make_release_tree(self, base_dir, files):
        super().make_release_tree(base_dir, files)
        carry(Path(base_dir))


def carry(folder):
    path = folder/'seqgen_nb/revision.txt'
    said = revision()
    path.unlink(missing_ok=True)  # it may be a hard link
    path.write_text(said, encoding='utf-8')


setup(
    name=cfg['lib_name'],
    version=cfg['version'],
    description=cfg['description'],
    long_description=(here/'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    keywords=cfg['keywords'],
    author=cfg['author'],
    author_email=cfg['author_email'],
    url=cfg['git_url'],
    license='Apache-2.0',
    classifiers=[f'Development Status :: {statuses[int(cfg["status"]) - 1]}', f'Intended Audience :: {cfg["audience"]}',
                 'Programming Language :: Python :: 3', 'Framework :: Jupyter'],
    packages=find_packages(include=['seqgen_nb', 'seqgen_nb.*']),
    include_package_data=True,
    python_requires=f'>={cfg["min_python"]}',
    install_requires=cfg['requirements'].split(),
    extras_require={'notebook': notebook, 'dev': cfg['dev_requirements'].split()},
    entry_points={'console_scripts': cfg['console_scripts'].split(),
                  'nbdev': [f'{cfg["lib_name"]}={cfg["lib_path"]}._modidx:d']},
    zip_safe=False,
    cmdclass=dict(build_py=Built, sdist=Source),
)
