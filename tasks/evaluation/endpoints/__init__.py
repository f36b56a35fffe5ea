"""OpenAI-compatible endpoints: requests, replies, rate limits, outages, and what they cost."""
