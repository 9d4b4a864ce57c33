"""Event cameras in processes of their own: the plant publishes pictures, the camera packets, the controller takes both."""
