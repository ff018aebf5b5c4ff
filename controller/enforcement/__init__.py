"""Repairs: diagnosis, guards, plan, approval, execution at the school, proof."""
