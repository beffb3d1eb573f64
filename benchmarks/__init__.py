"""Quality and speed on public sets, beside plain baselines. Run `python -m benchmarks`."""
