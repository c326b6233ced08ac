"""What each detector, picture quality and each kind of calibration material bought."""
