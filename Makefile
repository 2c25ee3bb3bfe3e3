# Every target but clean prepares .venv by itself; nothing has to be activated or installed first.
# A python3.11 that cannot make virtual environments gives way to python3.
PYTHON ?= $(or \
	$(shell python3.11 -c 'import ensurepip, sys; print(sys.executable)' 2>/dev/null), \
	$(shell command -v python3), \
	$(error DeltaCrown needs Python 3.11 or newer, and there is no python3 on this machine))

.DEFAULT_GOAL := help
.PHONY: help run test check coverage chaos bench messages lock clean

help:
	@echo 'make run       install what is missing, load the demo, serve http://localhost:8000 (PORT=8001 for another)'
	@echo 'make test      run every check and test (ARGS="-k bracket" goes to pytest)'
	@echo 'make check     lint, format, types and import rules only'
	@echo 'make coverage  measure how much of the realtime package the tests run; too little fails'
	@echo 'make chaos     break everything for five minutes under 1,000 people (ARGS="--minutes 2 --seed 7 --clients 500")'
	@echo 'make bench     measure this site against other servers, 25 minutes (ARGS="--quick" for two)'
	@echo 'make messages  collect what is to be translated into locale/'
	@echo 'make lock      resolve requirements*.in into the lock files again'
	@echo 'make clean     remove .venv and caches; data stays'

run test check coverage chaos bench messages lock:
	@"$(PYTHON)" tools/bootstrap.py $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
