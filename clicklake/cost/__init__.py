"""What a deployment costs a month, service by service: prices, what is counted, and how long a refresh takes."""
