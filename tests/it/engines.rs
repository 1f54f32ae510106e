//! What can run the network: ONNX Runtime against tract, and libraries that are
//! missing, of another kind, or break.
//!
//! The real library is that of `ZOETROPE_TEST_ONNXRUNTIME`, or of one of the usual
//! places. GPUs are played by it, behind a library of our own (`shim.c`): so what
//! is tested is everything but what CUDA and TensorRT themselves do.

mod choice;
mod falls;
mod libraries;
mod parity;
mod reasons;
