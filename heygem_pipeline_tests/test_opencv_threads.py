from heygem_pipeline.opencv_threads import one_opencv_thread


def test_the_last_that_ends_restores_what_was_before() -> None:
    import cv2

    usual = cv2.getNumThreads()
    cv2.setNumThreads(2)
    try:
        first, second = one_opencv_thread(), one_opencv_thread()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert cv2.getNumThreads() == 1
        second.__exit__(None, None, None)
        assert cv2.getNumThreads() == 2
    finally:
        cv2.setNumThreads(usual)
