"Where Chromium is and how it is started, for the tests in a browser and for the report's PDF."
import shutil

names = 'chromium', 'chromium-browser', 'google-chrome', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'
flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']


def found(): return next(filter(None, map(shutil.which, names)), None)
