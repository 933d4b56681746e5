"""What the segmenter is made of; its door is `debabelizer.streaming.segmenter`."""
