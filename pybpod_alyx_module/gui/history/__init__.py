"""What an animal's weight and water were: the plots, the tables and the window *Alyx details*."""
