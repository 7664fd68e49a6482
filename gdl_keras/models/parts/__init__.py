"""What families of models share: conditions, averages of weights, accumulation, sizes."""
