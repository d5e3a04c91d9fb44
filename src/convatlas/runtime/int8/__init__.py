"""Networks in int8: asked for, calibrated on real pictures, judged on others, or refused.

    file or engine               quantised by    run by
    bundle, ONNX                 ONNX Runtime    ONNX Runtime, OpenVINO (the file is plain ONNX)
    OpenVINO, ``openvino-int8``  NNCF            OpenVINO
    ``onnxruntime-int8``         ONNX Runtime    ONNX Runtime

Why these two: of the three files tried (ONNX Runtime's, NNCF's of the ONNX form and NNCF's of
OpenVINO's form) the last was the fastest on every network in OpenVINO, ONNX Runtime's the fastest
in ONNX Runtime and next to it in OpenVINO. NNCF's of the ONNX form was slower in both, and making
it took longest. ``benchmarks/int8.py`` measures the two that are left.

A network so small that calling costs more than computing (LeNet) is not faster in int8.
"""
