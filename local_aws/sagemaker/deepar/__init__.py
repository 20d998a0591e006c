"""DeepAR with the hyperparameters, channels, log and requests of SageMaker's built-in algorithm, on GluonTS and torch.

A container's contract with a folder in the place of /opt/ml (see __main__.py), and the same in Python:

    hyperparameters = Hyperparameters.parse({"time_freq": "1H", "prediction_length": "168", …})
    model = training.train(hyperparameters, channel.read(folder, "train", hyperparameters.time_freq))
    samples = model.sample([instance], number=100)      (instances, samples, prediction_length)

The network is GluonTS's; what surrounds it follows SageMaker's documentation of DeepAR. SageMaker's own network is not
public: losses here and there are alike, not equal.
"""
