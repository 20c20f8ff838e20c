import sys

from panda_ioc.cli import main

sys.exit(main())
