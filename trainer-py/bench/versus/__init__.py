"""Our trainer and sd-scripts side by side, each as its own process; `bench.vs_kohya` compares what they say."""
