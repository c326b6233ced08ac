"""From measured logits to a calibrated verdict. numpy only."""
