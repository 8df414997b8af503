"""What happens to a job, one stage a module; `attempt` has their order."""
