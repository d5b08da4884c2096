"""The whole chain with tiny settings, in about two minutes: python -m training.smoke."""
import argparse
import shutil
import subprocess
import sys
import tempfile

from .train_ae import RUNS


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()  # --help asks, and must not begin
    shutil.rmtree(RUNS / "smoke", ignore_errors=True)
    step = lambda module, *options: subprocess.run([sys.executable, "-m", f"training.{module}", *options], check=True)
    step("train_ae", "--preset", "smoke")
    step("train_ae", "--preset", "smoke", "--decoder")
    step("train", "--preset", "smoke")
    step("distill", "--name", "smoke", "--minutes", "0.2", "--batch", "4")
    with tempfile.TemporaryDirectory() as folder:
        step("export", "--name", "smoke", "--out", folder)
        step("export_onnx", "--model", folder)
        step("sample", "--model", folder, "--steps", "2", "--out", str(RUNS / "smoke" / "sample.png"))


if __name__ == "__main__":
    main()
